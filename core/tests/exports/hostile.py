"""Words that a spreadsheet, or a reader of CSV, could take for something else."""

FORMULA = '=HYPERLINK("http://evil.example","Click")'
NOTE = 'Line one\nline "two", 🎉 and עברית\u202e;\r\nthe end'
WORDS = {
    "formula": FORMULA,
    "plus": "+1+1",
    "minus": "-2+3+cmd|' /C calc'!A0",
    "at": "@SUM(A1:A9)",
    "tab": "\t=1+1",
    "carriage return": "\r=1+1",
    "apostrophe": "'=1+1",
    "two apostrophes": "''=1+1",
    "an apostrophe alone": "'tis",
    "newline, quotes, emoji and right-to-left": NOTE,
    "link": "https://example.org/ and mailto:a@example.org",
    "number": "00123",
    "escape of a workbook": "_x000D_ and _x0041_",
    "markup": "<script>alert(1)</script>&amp;",
    "spaces": "  between  ",
}
RISKY = "=+-@\t\r"
