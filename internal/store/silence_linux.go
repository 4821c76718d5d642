package store

import "syscall"

// giveUpOnSilence has the system end a connection on which what was sent is not
// confirmed. Without it that takes a quarter of an hour
// (https://man7.org/linux/man-pages/man7/tcp.7.html, TCP_USER_TIMEOUT).
func giveUpOnSilence(network, _ string, c syscall.RawConn) error {
	if network == "unix" {
		return nil
	}
	const userTimeout = 0x12 // TCP_USER_TIMEOUT, which package syscall lacks
	var failed error
	err := c.Control(func(fd uintptr) {
		failed = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, userTimeout, int(silence.Milliseconds()))
	})
	if err != nil {
		return err
	}
	return failed
}
