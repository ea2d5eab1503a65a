"""The web process's application."""

import os

from django.core.wsgi import get_wsgi_application

from policity.project import environment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", environment.read().settings)
application = get_wsgi_application()
