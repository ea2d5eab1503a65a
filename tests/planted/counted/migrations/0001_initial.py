from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel(
            "Count",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("town", models.CharField(max_length=100)),
                ("people", models.IntegerField()),
            ],
        )
    ]
