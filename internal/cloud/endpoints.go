package cloud

import (
	"net/http"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// isMetadata reports whether a path is that of the cloud's description. Some
// clients begin it with two slashes.
func isMetadata(path string) bool {
	return strings.EqualFold("/"+strings.TrimLeft(path, "/"), "/metadata/endpoints")
}

// serveEndpoints describes the cloud to clients that are told only where ARM is.
// There are three shapes of it; api-version says which is meant.
func (c *Cloud) serveEndpoints(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		WriteError(w, methodNotAllowed(r))
		return
	}
	here := "https://" + r.Host
	audiences := c.audiences.management()
	for i := range audiences {
		audiences[i] += "/"
	}
	authentication := arm.Object{
		"loginEndpoint":    here,
		"audiences":        audiences,
		"tenant":           "common",
		"identityProvider": "AAD",
	}
	if r.URL.Query().Get("api-version") == "2015-01-01" {
		authentication["loginEndpoint"] = here + "/"
		WriteJSON(w, http.StatusOK, arm.Object{
			"galleryEndpoint": here + "/", "graphEndpoint": here + "/", "portalEndpoint": here + "/", "authentication": authentication,
		})
		return
	}
	described := arm.Object{
		"name":                     "Cloister",
		"portal":                   here,
		"authentication":           authentication,
		"media":                    here,
		"graphAudience":            "https://graph.microsoft.com/",
		"graph":                    here + "/",
		"microsoftGraphResourceId": "https://graph.microsoft.com/",
		"resourceManager":          here + "/",
		"activeDirectoryDataLake":  "https://datalake.azure.net/",
		"suffixes": arm.Object{
			"storage":        "core.windows.net",
			"keyVaultDns":    "vault.azure.net",
			"acrLoginServer": "azurecr.io",
		},
	}
	if r.URL.Query().Get("api-version") == "2019-05-01" { // of which az asks for all clouds that there are
		described["microsoftGraphResourceId"] = here + "/" // where it looks for Graph
		WriteJSON(w, http.StatusOK, []arm.Object{described})
		return
	}
	WriteJSON(w, http.StatusOK, described)
}
