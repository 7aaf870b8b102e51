package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// process is what one process used during a phase. Memory is the resident set, in MiB.
type process struct {
	Name              string
	StartMiB, PeakMiB float64
	EndMiB            float64
	CPUSeconds        float64
	pid               int
	cpuBefore         float64
}

type processes struct {
	list []*process
	stop context.CancelFunc
	done sync.WaitGroup
}

// sampleProcesses reads /proc four times a second until end is called.
func sampleProcesses(ctx context.Context, names string) (*processes, error) {
	p := &processes{}
	for _, each := range strings.Split(names, ",") {
		name, pid, found := strings.Cut(each, "=")
		if !found {
			continue
		}
		number, err := strconv.Atoi(pid)
		if err != nil {
			return nil, fmt.Errorf("-processes %s: %w", each, err)
		}
		process := &process{Name: name, pid: number}
		process.StartMiB, process.cpuBefore = usage(number)
		if process.StartMiB == 0 {
			return nil, fmt.Errorf("there is no process %s with pid %d", name, number)
		}
		p.list = append(p.list, process)
	}
	ctx, p.stop = context.WithCancel(ctx)
	p.done.Go(func() {
		for ctx.Err() == nil {
			for _, process := range p.list {
				memory, _ := usage(process.pid)
				process.PeakMiB = max(process.PeakMiB, memory)
			}
			time.Sleep(250 * time.Millisecond)
		}
	})
	return p, nil
}

func (p *processes) end() []*process {
	p.stop()
	p.done.Wait()
	for _, process := range p.list {
		memory, cpu := usage(process.pid)
		process.EndMiB, process.CPUSeconds = memory, cpu-process.cpuBefore
	}
	return p.list
}

// usage returns the resident set in MiB and the CPU time in seconds, from /proc/PID/stat (proc(5)).
func usage(pid int) (memory, cpu float64) {
	const ticksPerSecond = 100 // USER_HZ, the same on every Linux that Go supports
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 22 {
		return 0, 0
	}
	number := func(i int) float64 { value, _ := strconv.ParseFloat(fields[i], 64); return value }
	return number(21) * float64(os.Getpagesize()) / (1 << 20), (number(11) + number(12)) / ticksPerSecond
}

func loadAverage() float64 {
	text, _ := os.ReadFile("/proc/loadavg")
	minute, _, _ := strings.Cut(string(text), " ")
	value, _ := strconv.ParseFloat(minute, 64)
	return value
}
