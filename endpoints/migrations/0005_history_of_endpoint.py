from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('endpoints', '0004_historyentry_data_source'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='historyentry',
            index=models.Index(fields=['endpoint_id', 'workspace_id', '-id', 'status', 'method', 'created_at'], name='history_of_endpoint'),
        ),
        migrations.RemoveIndex(
            model_name='historyentry',
            name='history_endpoint',
        ),
    ]
