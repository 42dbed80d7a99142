"use strict";

// A session of the admin works here, too; then a call that writes must carry the cookie's word as a header.
function withCsrfToken(request) {
  const found = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/);
  const own = new URL(request.url, location.href).origin === location.origin;
  if (found && own && !["GET", "HEAD"].includes((request.method || "GET").toUpperCase())) {
    request.headers["X-CSRFToken"] = found[1];
  }
  return request;
}

const place = document.getElementById("docs");
SwaggerUIBundle({
  domNode: place,
  url: place.dataset.schema,
  deepLinking: true,
  displayRequestDuration: true,
  filter: true,
  persistAuthorization: false,
  validatorUrl: null,
  requestInterceptor: withCsrfToken,
});
