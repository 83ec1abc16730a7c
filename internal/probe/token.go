package probe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// identityToken asks the instance metadata service ("How to use managed
// identities for Azure resources on an Azure VM to acquire an access token").
func identityToken(ctx context.Context, audience string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	query := url.Values{"api-version": {"2018-02-01"}, "resource": {audience}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, metadata+"?"+query.Encode(), nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Metadata", "true")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", fmt.Errorf("no identity token: %s", reason(err))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("no identity token: %s", resp.Status)
	}
	var out struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&out); err != nil || out.Token == "" {
		return "", errors.New("no identity token in the metadata service's answer")
	}
	return out.Token, nil
}

// exchange turns an Entra token into a registry's token for its catalogue (Azure
// Container Registry, "AAD integration").
func (c caller) exchange(ctx context.Context, entra string) (string, error) {
	var refresh struct {
		Token string `json:"refresh_token"`
	}
	err := c.form(ctx, "/oauth2/exchange", url.Values{"grant_type": {"access_token"}, "service": {c.host}, "access_token": {entra}}, &refresh)
	if err != nil {
		return "", err
	}
	var access struct {
		Token string `json:"access_token"`
	}
	err = c.form(ctx, "/oauth2/token", url.Values{
		"grant_type": {"refresh_token"}, "service": {c.host}, "scope": {"registry:catalog:*"}, "refresh_token": {refresh.Token},
	}, &access)
	return access.Token, err
}

func (c caller) form(ctx context.Context, path string, values url.Values, out any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+c.host+path, strings.NewReader(values.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	got, err := c.do(req)
	if err != nil {
		return err
	}
	if got.status != http.StatusOK {
		return errors.New(got.text)
	}
	return json.Unmarshal(got.body, out)
}
