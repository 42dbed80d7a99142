"""Words that a search has to find, however they are written."""

import pytest

# (stored, searched for): the same word
SPELLINGS = [
    pytest.param("Übungsraum", "übungsraum", id="a German capital"),
    pytest.param("übungsraum", "ÜBUNGS", id="German capitals"),
    pytest.param("Café", "cafe\u0301", id="an accent that comes apart in the search"),
    pytest.param("Cafe\u0301", "CAFÉ", id="an accent that is stored apart"),
    pytest.param("Читальный зал", "ЧИТАЛЬНЫЙ", id="Cyrillic"),
    pytest.param("ΟΔΟΣ", "οδος", id="the Greek sigma at the end of a word"),
    pytest.param("会議室Ａ", "会議室a", id="Latin in full width"),
    pytest.param("がくしつ", "か\u3099くしつ", id="a Japanese letter in two parts"),
]
