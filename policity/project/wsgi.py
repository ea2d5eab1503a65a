"""The web process's application."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "policity.project.settings.embedded")
application = get_wsgi_application()
