from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from policity.public_site.formats import mentioned, prose
from policity.public_site.rules import old_address, slug_fault

ALLOWED = {"p", "b", "strong", "i", "em", "ol", "ul", "li", "br", "a"}


def plain(text, address=lambda kind, number: f"/{kind}/{number}/"):
    return prose(text, address=address, said=escape)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('<p><a linktype="page" id="3">x</a></p>', '<p><a href="/page/3/">x</a></p>'),
        ('<p><a linktype="page" id="x">x</a></p>', "<p>x</p>"),
        ('<p><a href="javascript:alert(1)">x</a></p>', "<p>x</p>"),
        ("<p onclick='x'>a<script>b</script>c</p>", "<p>ac</p>"),
        ("<h1>x</h1><img src=x onerror=y>", "x"),
        ("<p> </p>", ""),
    ],
)
def test_only_what_is_named_comes_through(text, shown):
    assert plain(text) == shown


def test_a_link_to_what_is_gone_keeps_its_words():
    assert plain('<p><a linktype="page" id="3">x</a></p>', lambda *_: None) == "<p>x</p>"


@given(st.text("<>/=\"' abcdpoliscriptonhref&;あ"))
def test_whatever_is_stored_nothing_else_comes_out(text):
    out = plain(text)
    if out:
        tree = html.fragment_fromstring(out, create_parent="section")
        for element in list(tree.iter())[1:]:
            assert element.tag in ALLOWED
            assert set(element.attrib) <= {"href"}


def test_what_is_mentioned_is_found_wherever_it_stands():
    found = mentioned([
        {"type": "text", "value": '<a id="3" linktype="page">x</a><a linktype="document" id="4">'},
        {"type": "picture", "value": {"image": 5, "alt": "x"}},
        {"type": "links", "value": {"links": [{"type": "item", "value": {"page": 6}}]}},
        {"type": "faq", "value": [{"value": {"answer": '<a href="https://example.org/?a=1&amp;b">'}}]},
    ])  # fmt: skip
    assert (found.pages, found.files, found.pictures) == ({3, 6}, {4}, {5})
    assert found.sites == {"https://example.org/?a=1&b"}


@pytest.mark.parametrize(
    ("path", "file"),
    [("/old", "/old/"), ("/a/b.html", "/a/b.html"), ("/staff/x", ""), ("/x.php", ""),
     ("/日本", ""), ("/a?b=c", ""), ("/../x", ""), ("/", ""), ("/a/index.html", "")],
)  # fmt: skip
def test_an_old_address_is_a_file_or_none(path, file):
    assert old_address(path) == file


def test_only_at_the_top_a_name_may_be_another_rooms():
    assert slug_fault("alerts", below="")
    assert not slug_fault("alerts", below="guides/")
    assert slug_fault("保育", below="guides/")
    assert slug_fault("spots", below="charm/")
