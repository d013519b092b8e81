package deploy

import (
	"net/http"

	"milepost/web"
)

// contractRoutes adds what clients are written against.
func (a *App) contractRoutes(mux *http.ServeMux) error {
	contract, err := web.NewContract()
	if err != nil {
		return err
	}
	mux.Handle("GET /v1/openapi.yaml", contract)
	mux.Handle("GET /v1/openapi.json", contract)
	mux.Handle("GET /v1/schemas", contract)
	mux.Handle("GET /v1/schemas/{name}", contract)
	mux.Handle("GET /v1/method", web.NewMethod(a.book, a.now))
	return nil
}
