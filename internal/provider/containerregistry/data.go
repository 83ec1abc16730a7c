package containerregistry

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// dataServer answers at {registry}.{region}.data.azurecr.io: the layers of
// images, by URLs that the login server signed.
type dataServer struct {
	host       cloud.Host
	registries *registries
}

// blobPath is a layer's path; the name is the login server's matter.
var blobPath = regexp.MustCompile(`^/v2/([a-z0-9/._-]+)/blobs/sha(?:256|512):[a-f0-9]+$`)

// urlLife is how long a signed URL may be used to begin a download.
const urlLife = 20 * time.Minute

func (s secrets) signature(path, expiry string) []byte {
	mac := hmac.New(sha256.New, s.Redirect)
	mac.Write([]byte(path + "\n" + expiry))
	return mac.Sum(nil)
}

// redirect sends the download of a layer to the data endpoint, where the registry
// has one of its own.
func (q *request) redirect(p *principal) bool {
	match := blobPath.FindStringSubmatch(q.URL.Path)
	if q.Method != http.MethodGet || match == nil || !arm.Bool(q.resource.Properties, "dataEndpointEnabled", false) {
		return false
	}
	c := &controller{host: q.service, id: q.resource.ID}
	if c.may(p, "pull").Value != verdict.Yes || !p.allows("repository", match[1], "pull") {
		return false // the distribution server asks the controller, which refuses
	}
	for _, ep := range service.Endpoints(q.resource) {
		if ep.Service == "registrydata" {
			expiry := strconv.FormatInt(time.Now().Add(urlLife).Unix(), 10)
			to := fmt.Sprintf("https://%s%s?se=%s&sig=%s", ep.Host, q.URL.Path, expiry, hex.EncodeToString(q.secrets.signature(q.URL.Path, expiry)))
			http.Redirect(q.w, q.Request, to, http.StatusTemporaryRedirect)
			return true
		}
	}
	return false
}

// ServeHTTP implements http.Handler.
func (s *dataServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q, ok := s.registries.newRequest(w, r)
	if !ok {
		return
	}
	if (r.Method != http.MethodGet && r.Method != http.MethodHead) || !blobPath.MatchString(r.URL.Path) {
		http.NotFound(w, r)
		return
	}
	query := r.URL.Query()
	given, err := hex.DecodeString(query.Get("sig"))
	expiry, err2 := strconv.ParseInt(query.Get("se"), 10, 64)
	if err != nil || err2 != nil || !hmac.Equal(given, q.secrets.signature(r.URL.Path, query.Get("se"))) || time.Now().Unix() > expiry {
		q.refuse(w, denied("the URL is not signed by the login server, or has expired"))
		return
	}
	q.serveApp(r.Context())
}
