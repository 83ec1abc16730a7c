package session

import (
	"crypto/rand"
	"errors"
	"math/big"
	"strings"
	"sync"
	"time"
)

// DeviceLifetime is how long a device code holds, and Interval the pause between
// two polls (RFC 8628, section 3.2).
const (
	DeviceLifetime = 15 * time.Minute
	Interval       = 5 * time.Second
)

// What a poll finds (RFC 8628, section 3.5).
var (
	ErrPending  = errors.New("the user has not signed in yet")
	ErrSlowDown = errors.New("the client polls too often")
	ErrExpired  = errors.New("the device code has expired")
	ErrDeclined = errors.New("the user has declined")
)

// Device is a sign-in that a client waits for, and that is made elsewhere.
type Device struct {
	Client, Scope string
	UserCode      string
	expires       time.Time
	polled        time.Time
	interval      time.Duration
	grant         *Grant
	declined      bool
}

// Devices are the device codes that are out.
type Devices struct {
	now func() time.Time

	mu      sync.Mutex
	devices map[string]*Device // by hash of the device code
}

// NewDevices makes an empty set.
func NewDevices(now func() time.Time) *Devices {
	return &Devices{now: now, devices: map[string]*Device{}}
}

// letters of a user code have no vowels, so that they make no words, and none that
// is taken for another (RFC 8628, section 6.1).
const letters = "BCDFGHJKLMNPQRSTVWXZ"

const userCodeLength = 9

func userCode() string {
	var b strings.Builder
	for range userCodeLength {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(letters))))
		if err != nil {
			panic("crypto/rand does not fail: " + err.Error())
		}
		b.WriteByte(letters[n.Int64()])
	}
	return b.String()
}

// Begin makes a device code, and the user code that belongs to it.
func (d *Devices) Begin(client, scope string) (code, user string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	for id, old := range d.devices {
		if now.After(old.expires.Add(DeviceLifetime)) { // until then it is said that it has expired
			delete(d.devices, id)
		}
	}
	if len(d.devices) >= maxPending {
		return "", "", ErrBusy
	}
	code, user = Secret(), userCode()
	d.devices[hash(code)] = &Device{Client: client, Scope: scope, UserCode: user, expires: now.Add(DeviceLifetime), interval: Interval}
	return code, user, nil
}

// find is the sign-in of a user code that nobody has answered; the lock is held.
func (d *Devices) find(user string) *Device {
	user = strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToUpper(user))
	for _, one := range d.devices {
		if one.UserCode == user && one.grant == nil && !one.declined && d.now().Before(one.expires) {
			return one
		}
	}
	return nil
}

// Waiting is the sign-in that a user code belongs to.
func (d *Devices) Waiting(user string) (Device, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if found := d.find(user); found != nil {
		return *found, true
	}
	return Device{}, false
}

// Approve lets the client of a user code in as a user.
func (d *Devices) Approve(user, objectID string) (Device, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	found := d.find(user)
	if found == nil {
		return Device{}, ErrCode
	}
	found.grant = &Grant{User: objectID, Client: found.Client, Scope: found.Scope, At: d.now().UTC()}
	return *found, nil
}

// Decline keeps the client of a user code out.
func (d *Devices) Decline(user string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if found := d.find(user); found != nil {
		found.declined = true
	}
}

// Poll is what a client asks again and again. A grant is given once.
func (d *Devices) Poll(code, client string) (Grant, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	id, now := hash(code), d.now()
	found, ok := d.devices[id]
	switch {
	case !ok || !strings.EqualFold(found.Client, client):
		return Grant{}, ErrCode
	case found.declined:
		delete(d.devices, id)
		return Grant{}, ErrDeclined
	case now.After(found.expires):
		return Grant{}, ErrExpired
	case found.grant != nil:
		delete(d.devices, id)
		return *found.grant, nil
	}
	early := now.Sub(found.polled) < found.interval-time.Second // clocks and networks are not exact
	found.polled = now
	if early {
		found.interval += Interval
		return Grant{}, ErrSlowDown
	}
	return Grant{}, ErrPending
}
