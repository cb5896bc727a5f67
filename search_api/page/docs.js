// Shows the description of the API by Swagger UI, where that could be loaded.

if (window.SwaggerUIBundle) window.SwaggerUIBundle({ url: "/openapi.json", dom_id: "#api", deepLinking: true });
