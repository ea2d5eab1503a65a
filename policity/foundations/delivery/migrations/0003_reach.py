import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('delivery', '0002_dispatch_and_ledger'),
    ]

    operations = [
        migrations.CreateModel(
            name='Reach',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('targets', models.PositiveIntegerField()),
                ('unreachable', models.PositiveIntegerField()),
                ('withdrawn', models.PositiveIntegerField()),
                ('failed', models.PositiveIntegerField()),
                ('queued', models.PositiveIntegerField()),
                ('handed', models.PositiveIntegerField()),
                ('delivered', models.PositiveIntegerField()),
                ('seen', models.PositiveIntegerField()),
                ('confirmed', models.PositiveIntegerField()),
                ('message', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='delivery.message')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('message', 'at'), name='delivery_one_sample_a_moment')],
            },
        ),
        migrations.CreateModel(
            name='Standing',
            fields=[
                ('message', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='standing', serialize=False, to='delivery.message')),
                ('changes', models.PositiveBigIntegerField()),
                ('at', models.DateTimeField()),
                ('targets', models.PositiveIntegerField()),
                ('counted', models.PositiveIntegerField()),
                ('split', models.JSONField()),
            ],
        ),
        migrations.CreateModel(
            name='Movement',
            fields=[
                ('message', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='movement', serialize=False, to='delivery.message')),
                ('changes', models.PositiveBigIntegerField()),
                ('counted', models.PositiveBigIntegerField()),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('changes__gt', models.F('counted'))), fields=['message'], name='delivery_uncounted')],
            },
        ),
    ]
