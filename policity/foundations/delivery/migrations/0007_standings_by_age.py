# Standings that know no ages are dropped: whoever looks counts anew.

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("delivery", "0006_drills"), ("residents", "0002_ages_and_households")]

    operations = [
        migrations.DeleteModel("Standing"),
        migrations.CreateModel(
            name="Standing",
            fields=[
                ("message", models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name="standing", serialize=False, to="delivery.message")),
                ("changes", models.PositiveBigIntegerField()),
                ("at", models.DateTimeField()),
                ("targets", models.PositiveIntegerField()),
                ("counted", models.PositiveIntegerField()),
                ("split", models.JSONField()),
            ],
        ),
    ]
