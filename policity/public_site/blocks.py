"""What a page may be made of. Blocks store what was chosen; presenters read it for many at once."""

from typing import Any

from django.core.exceptions import ValidationError
from wagtail import blocks
from wagtail.contrib.typed_table_block.blocks import TypedTableBlock
from wagtail.documents.blocks import DocumentChooserBlock
from wagtail.images.blocks import ImageChooserBlock

# Bold, links, lists: no sizes, no colours, no pictures in the middle of a line.
FEATURES = ["bold", "link", "document-link", "ol", "ul"]


def has_ends(value: Any) -> int:
    """How many of its ends a link has: a page, a file, an address."""
    return sum(bool(value.get(name)) for name in ("page", "file", "url"))


class LinkBlock(blocks.StructBlock):  # type: ignore[misc]
    """One entry: what a person does, what is inside, where it leads."""

    title = blocks.CharBlock(label="見出し（〜する、で書く）", max_length=60)
    text = blocks.CharBlock(label="中身を一文で", max_length=120, required=False)
    page = blocks.PageChooserBlock(label="このサイトのページ", required=False)
    file = DocumentChooserBlock(label="ファイル", required=False)
    url = blocks.URLBlock(label="ほかのサイトの住所", required=False, max_length=500)

    def clean(self, value: Any) -> Any:
        """Exactly one end."""
        cleaned = super().clean(value)
        if has_ends(cleaned) != 1:
            fault = "ページ、ファイル、ほかのサイトの住所のうち、一つだけをえらんでください。"
            raise blocks.StructBlockValidationError(block_errors={"page": ValidationError(fault)})
        return cleaned

    class Meta:
        icon = "link"
        label = "リンク"


class PictureBlock(blocks.StructBlock):  # type: ignore[misc]
    """A picture; what it shows is said for those who do not see it."""

    image = ImageChooserBlock(label="画像")
    alt = blocks.CharBlock(
        label="代替テキスト（必須）",
        max_length=200,
        help_text="画像が見えない人に、何が写っているかを一文で伝えます。",
    )
    caption = blocks.CharBlock(label="説明", max_length=200, required=False)

    class Meta:
        icon = "image"
        label = "画像"


class ContactBlock(blocks.StructBlock):  # type: ignore[misc]
    """Whom to ask about what the page says; without one, the department's own is shown."""

    name = blocks.CharBlock(label="窓口の名前", max_length=100)
    phone = blocks.RegexBlock(
        label="電話",
        regex=r"^[0-9-]{3,20}$",
        required=False,
        error_messages={"invalid": "電話番号は、数字と - で書いてください。例: 042-000-0000"},
    )
    place = blocks.CharBlock(label="場所", max_length=200, required=False)
    hours = blocks.CharBlock(label="受付時間", max_length=200, required=False)
    email = blocks.EmailBlock(label="メール", required=False)

    class Meta:
        icon = "mail"
        label = "問い合わせ先"


class CalloutBlock(blocks.StructBlock):  # type: ignore[misc]
    """What must not be overlooked, in a frame of its own. Alerts are other pages."""

    title = blocks.CharBlock(label="見出し", max_length=60)
    text = blocks.TextBlock(label="文", max_length=600)

    class Meta:
        icon = "warning"
        label = "大切なこと"


class StepBlock(blocks.StructBlock):  # type: ignore[misc]
    """One step of a procedure."""

    title = blocks.CharBlock(label="すること", max_length=60)
    text = blocks.RichTextBlock(label="くわしく", features=FEATURES, required=False)

    class Meta:
        icon = "list-ol"
        label = "手順"


class QuestionBlock(blocks.StructBlock):  # type: ignore[misc]
    """A question and its answer."""

    question = blocks.CharBlock(label="質問", max_length=120)
    answer = blocks.RichTextBlock(label="答え", features=FEATURES)

    class Meta:
        icon = "help"
        label = "質問"


class LinksBlock(blocks.StructBlock):  # type: ignore[misc]
    """Entries under one heading; on the home page an entrance."""

    heading = blocks.CharBlock(label="見出し", max_length=60)
    links = blocks.ListBlock(LinkBlock(), label="リンク", min_num=1, max_num=12)

    class Meta:
        icon = "list-ul"
        label = "リンクの一覧"


class FileBlock(blocks.StructBlock):  # type: ignore[misc]
    """A file to take away, named by what is in it."""

    file = DocumentChooserBlock(label="ファイル")
    title = blocks.CharBlock(label="中身が分かる名前", max_length=100)

    class Meta:
        icon = "doc-full"
        label = "ファイル"


BODY = [
    ("heading", blocks.CharBlock(label="見出し", max_length=80, icon="title")),
    ("text", blocks.RichTextBlock(label="文", features=FEATURES, icon="pilcrow")),
    ("picture", PictureBlock()),
    ("table", TypedTableBlock([("text", blocks.CharBlock(label="文字", required=False))],
                              label="表", icon="table")),
    ("steps", blocks.ListBlock(StepBlock(), label="手順", icon="list-ol", min_num=1)),
    ("callout", CalloutBlock()),
    ("links", LinksBlock()),
    ("faq", blocks.ListBlock(QuestionBlock(), label="よくある質問", icon="help", min_num=1)),
    ("file", FileBlock()),
    ("contact", ContactBlock()),
]  # fmt: skip
