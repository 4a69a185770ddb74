"use strict";

SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "none",
  filter: true,
  tryItOutEnabled: true,
  // Signing in again after every reload would make the page useless for trying things out.
  persistAuthorization: true,
  // The validator runs on somebody else's host.
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
});
