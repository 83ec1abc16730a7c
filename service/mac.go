package service

import (
	"encoding/hex"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// MAC is the MAC address that a network interface is shown with, in the range that
// Azure's machines have: 00-0D-3A-xx-xx-xx. It follows from the interface's id.
func MAC(nic arm.ID) string {
	guid, err := hex.DecodeString(strings.ReplaceAll(arm.StableGUID(nic, "macAddress"), "-", "")[:6])
	if err != nil {
		return "" // cannot be: it is a GUID
	}
	return strings.ToUpper("00-0D-3A-" + hex.EncodeToString(guid[:1]) + "-" + hex.EncodeToString(guid[1:2]) + "-" + hex.EncodeToString(guid[2:3]))
}
