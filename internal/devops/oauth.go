package devops

import (
	"crypto/rsa"
	"errors"
	"math/big"
	"net/http"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/cloister-ml/cloister/internal/devops/wire"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// publicKey reads an agent's RSA key.
func publicKey(k wire.PublicKey) (*rsa.PublicKey, error) {
	n, e := new(big.Int).SetBytes(k.Modulus), new(big.Int).SetBytes(k.Exponent)
	if n.BitLen() < 2048 || n.BitLen() > 8192 {
		return nil, errors.New("an RSA key of 2048 to 8192 bits is needed")
	}
	if !e.IsInt64() || e.Int64() < 3 || e.Int64() > 1<<31-1 || e.Bit(0) == 0 {
		return nil, errors.New("the exponent is not one of RSA")
	}
	return &rsa.PublicKey{N: n, E: int(e.Int64())}, nil
}

// postToken gives an agent a token for an assertion that its key signed.
func (s *Server) postToken(r *http.Request, _ principal) (any, error) {
	if err := r.ParseForm(); err != nil {
		return nil, badRequest("the form cannot be read")
	}
	if r.PostForm.Get("grant_type") != "client_credentials" || r.PostForm.Get("client_assertion_type") != assertionType {
		return nil, badRequest("the grant must be client_credentials with a JWT assertion")
	}
	client, err := s.checkAssertion(r.PostForm.Get("client_assertion"), time.Now())
	if err != nil {
		s.log.Info("devops: an agent's assertion was refused", "reason", err)
		return nil, problem(http.StatusBadRequest, "invalid_client", "the assertion is not valid; configure the agent again if it was removed")
	}
	return wire.Token{
		AccessToken: s.agentToken(client, time.Now()),
		TokenType:   "Bearer",
		ExpiresIn:   int(agentTokenLifetime.Seconds()),
	}, nil
}

// checkAssertion gives the client id of the agent that signed an assertion.
func (s *Server) checkAssertion(assertion string, now time.Time) (client string, err error) {
	token, err := jwt.ParseSigned(assertion, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return "", err
	}
	var unverified jwt.Claims
	if err := token.UnsafeClaimsWithoutVerification(&unverified); err != nil {
		return "", err
	}
	var key wire.PublicKey
	err = s.db.QueryRow(`SELECT exponent, modulus FROM agent WHERE client_id = ?`, unverified.Subject).
		Scan(&key.Exponent, &key.Modulus)
	if err != nil {
		return "", errors.New("no agent has that client id")
	}
	public, err := publicKey(key)
	if err != nil {
		return "", err
	}
	var claims jwt.Claims
	if err := token.Claims(public, &claims); err != nil {
		return "", err
	}
	switch {
	case claims.Issuer != claims.Subject:
		return "", errors.New("it was issued by another")
	case !slices.Contains(claims.Audience, s.url("/_oauth/token")):
		return "", errors.New("it is for another audience")
	case claims.Expiry == nil || claims.Expiry.Time().Sub(now) > time.Hour:
		return "", errors.New("it must expire within an hour")
	}
	return claims.Subject, claims.ValidateWithLeeway(jwt.Expected{Time: now}, time.Minute)
}
