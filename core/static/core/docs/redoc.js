"use strict";

const place = document.getElementById("docs");
Redoc.init(place.dataset.schema, { hideDownloadButton: false, nativeScrollbars: true, expandResponses: "200,201" }, place);
