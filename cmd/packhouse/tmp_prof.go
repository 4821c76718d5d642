package main

import (
	"os"
	"runtime/pprof"
	"time"
)

func init() {
	if f := os.Getenv("PACKPROF"); f != "" {
		w, _ := os.Create(f)
		go func() {
			time.Sleep(300 * time.Millisecond)
			pprof.StartCPUProfile(w)
			time.Sleep(1200 * time.Millisecond)
			pprof.StopCPUProfile()
			w.Close()
		}()
	}
}
