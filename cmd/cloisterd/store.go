package main

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/pflag"
)

// storeVariable names the variable that has the address of the store.
const storeVariable = "CLOISTER_STORE"

// storeFlags say where a cloud's documents are kept.
type storeFlags struct{ address, file string }

func (s *storeFlags) declare(flags *pflag.FlagSet) {
	flags.StringVar(&s.address, "store", "", "keep the documents in PostgreSQL: postgres://USER@HOST/DATABASE, without a password ("+storeVariable+", which may have one; a file in --data)")
	flags.StringVar(&s.file, "store-file", "", "read the address of the store from this file; it may have a password")
}

// maxAddress bounds a file that should hold an address.
const maxAddress = 64 << 10

// read is the address, "" where none is given. The variable is taken out of the
// environment: nothing that is started later needs it.
func (s *storeFlags) read() (string, error) {
	fromVariable := os.Getenv(storeVariable)
	if err := os.Unsetenv(storeVariable); err != nil {
		return "", err
	}
	switch {
	case s.address != "" && s.file != "":
		return "", errors.New("--store and --store-file name two stores: give one")
	case s.file != "":
		return readAddress(s.file)
	case s.address == "":
		return fromVariable, checkAddress(fromVariable)
	}
	if err := checkAddress(s.address); err != nil {
		return "", err
	}
	u, err := url.Parse(s.address)
	if err != nil {
		return "", errors.New("--store cannot be read: write postgres://USER@HOST:PORT/DATABASE")
	}
	if _, has := u.User.Password(); has || u.Query().Has("password") || u.Query().Has("sslpassword") {
		return "", fmt.Errorf("--store has a password, which every user of this machine could see: put the address into a file and give --store-file, or set %s", storeVariable)
	}
	return s.address, nil
}

func readAddress(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", fmt.Errorf("--store-file: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxAddress))
	if err != nil {
		return "", fmt.Errorf("--store-file: %w", err)
	}
	address := strings.TrimSpace(string(data))
	if address == "" {
		return "", fmt.Errorf("--store-file: %s is empty: it should hold postgres://USER:PASSWORD@HOST/DATABASE", name)
	}
	return address, checkAddress(address)
}

func checkAddress(address string) error {
	if address == "" || strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://") {
		return nil
	}
	return errors.New("the address of the store does not begin with postgres://: without one, the documents are kept in --data")
}
