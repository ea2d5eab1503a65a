"""Made-up people come into a demo and nowhere else."""

import pytest

from policity.foundations.accounts.models import User
from policity.foundations.places.models import City
from policity.project import demo


@pytest.mark.django_db
def test_a_home_that_is_no_demo_takes_in_no_sample(tmp_path, settings):
    assert not settings.DEMO
    with pytest.raises(demo.NotADemoError, match="見本を読み込みません"):
        demo.load(tmp_path)
    assert not User.objects.exists()
    assert not City.objects.exists()
    assert not (tmp_path / demo.ACCOUNTS_FILE).exists()


@pytest.mark.django_db
def test_a_demo_has_sample_staff_that_say_so(tmp_path, settings):
    settings.DEMO = True
    demo.load(tmp_path)
    people = User.objects.all()
    assert people
    assert all(person.is_sample and person.display_name.startswith("見本") for person in people)
