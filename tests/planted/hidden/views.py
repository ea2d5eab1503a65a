from django.http import HttpRequest, HttpResponse

from tests.planted.hidden.models import Person


def people(request: HttpRequest) -> HttpResponse:
    return HttpResponse("\n".join(Person.objects.values_list("name", flat=True)))
