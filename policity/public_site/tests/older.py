"""A small older municipal site (見本市), made in a folder as a crawl leaves it."""

from pathlib import Path

from policity.public_site.tests.content import jpeg

HOST = "www.mihon.example"


def page(title: str, inside: str, *, extra: str = "", charset: str = "Shift_JIS") -> bytes:
    text = f"""<!DOCTYPE html><html lang="ja"><head><meta charset="{charset}">
<title>{title}｜見本市</title></head><body><div id="header">
<nav><a href="/">見本市</a></nav></div>
<div id="tmp_contents"><h1>{title}</h1>{inside}<p>更新日：令和6年5月1日</p></div>
<div id="tmp_inquiry">お問い合わせ 見本部ごみ課 電話番号：042-000-0000</div>{extra}</body></html>"""
    return text.encode("cp932" if charset == "Shift_JIS" else charset)


def site(folder: Path) -> Path:
    """Six pages, in two encodings, with a table, pictures, a file and links."""
    files = {
        "index.html": page("見本市", "<p>ようこそ</p>"),
        "kurashi/index.html": page(
            "くらし", '<ul><li><a href="gomi/index.html">ごみ</a></li></ul>'
        ),
        "kurashi/gomi/index.html": page(
            "ごみの出し方",
            """<h2>分け方</h2><p>もえるごみは、<b>週2回</b>です。
<a href="shigen.html">資源の出し方</a>、
<a href="../../files/hyo.pdf">収集日の表（PDF）</a>、<a href="nai.html">ないページ</a>、
<a href="https://www.example.com/a?b=1&amp;c=2">国のページ</a>は
<a href="shigen.html">こちら</a>。</p>
<img src="/img/gomi.jpg" alt="ごみ箱が三つ並んでいる"><img src="/img/nashi.jpg">
<table><tr><th>曜日</th><th>もの</th></tr><tr><td rowspan="2">月</td><td>もえるごみ</td></tr>
<tr><td>①びん</td></tr></table><h4>注意</h4><script>planted()</script>
<iframe src="https://maps.example.com"></iframe>""",
        ),
        "kurashi/gomi/shigen.html": page(
            "資源の出し方", '<p>資源は<a href="./">ごみの出し方</a>を見てください。</p>',
            charset="euc-jp",
        ),
        "kurashi/gomi/hyo.html": page("収集日の表", '<a href="/files/hyo.pdf">収集日の表</a>'),
        "bunka/sai/2024.html": page("まつり", "<table><tr><td>一</td><td>二</td></tr></table>"),
        "files/hyo.pdf": b"%PDF-1.7 x",
        "img/gomi.jpg": jpeg(120, 90),
        "img/nashi.jpg": jpeg(121, 90),
    }  # fmt: skip
    for name, data in files.items():
        path = folder / HOST / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder
