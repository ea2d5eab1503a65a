"""docs/telegrams.md says what the reader does with every real file."""

from policity.fields.alerts.tests import telegrams_doc


def test_document_is_what_the_reader_does(shared_data):
    assert telegrams_doc.DOC.read_text(encoding="utf-8") == telegrams_doc.text(shared_data), (
        "write it anew: python -m policity.fields.alerts.tests.telegrams_doc"
    )


def test_document_names_every_file_that_gives_no_events(shared_data):
    said = telegrams_doc.DOC.read_text(encoding="utf-8")
    files = [f for top in ("jma", "cap") for f in (shared_data / top).rglob("*") if f.is_file()]
    named = [line for line in said.splitlines() if line.startswith(("- jma/", "- cap/"))]
    read = sum(
        int(row.split("|")[-2])
        for title, row in {
            row.split("|")[1]: row for row in said.splitlines() if row.startswith("| ")
        }.items()
        if row.split("|")[-2].strip().isdigit()
    )
    assert len(named) == len(set(named))
    assert len(named) + read == len(files)
