// Starts Swagger UI on the page that docs.py renders. A file of its own, since the page allows no inline script.
"use strict";

const place = document.getElementById("swagger-ui");
const specification = new URL(place.dataset.specification, window.location.href).href;

const page = window.SwaggerUIBundle({
  url: specification,
  domNode: place,
  deepLinking: true,
  validatorUrl: null,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  presets: [window.SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  // An application that people log in with here has this among its redirect addresses.
  oauth2RedirectUrl: new URL("/apidoc/oauth2-redirect", window.location.href).href,
  // Not before: each change of its state draws the whole page anew, under the hands of whoever is quick.
  onComplete: () => page.initOAuth({ usePkceWithAuthorizationCodeGrant: true }),
  requestInterceptor(request) {
    // The documentation's token belongs to the document alone, never to the calls that are tried out.
    if (request.url === specification && place.dataset.token) {
      request.headers.Authorization = `Bearer ${place.dataset.token}`;
    }
    if (place.dataset.csrf && new URL(request.url, window.location.href).origin === window.location.origin) {
      const cookie = document.cookie.split("; ").find((pair) => pair.startsWith(`${place.dataset.csrf}=`));
      if (cookie) request.headers["X-CSRFToken"] = cookie.split("=")[1];
    }
    return request;
  },
});
