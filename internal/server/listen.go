package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
)

// listen binds a TCP address. Its errors say what to do.
func listen(ctx context.Context, address, option string) (net.Listener, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, explain(address, option, err)
	}
	return ln, nil
}

// explain puts the common reasons why an address cannot be had into words.
func explain(address, option string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s is in use by another program; choose another with %s: %w", address, option, err)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("this user may not listen on %s: ports below 1024 need root or CAP_NET_BIND_SERVICE; choose another with %s: %w", address, option, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s is not an address of this machine; choose another with %s: %w", address, option, err)
	}
	return fmt.Errorf("cannot listen on %q, the value of %s: %w", address, option, err)
}
