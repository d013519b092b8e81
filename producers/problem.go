package producers

import (
	"encoding/json"
	"net/http"

	"milepost/schemas"
)

// refuse answers a request with an HTTP status for which the contract has no
// code of its own, such as 415.
func refuse(w http.ResponseWriter, status int, e *schemas.Error) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	p := schemas.Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: e.Error(), Error: e}
	_ = json.NewEncoder(w).Encode(p) // a client that went away has nobody to tell
}

// writeError answers a request with an error, and tells when trying again may
// help.
func writeError(w http.ResponseWriter, err error) {
	if schemas.CodeOf(err) == schemas.Unavailable {
		w.Header().Set("Retry-After", "5")
	}
	schemas.WriteProblem(w, err)
}
