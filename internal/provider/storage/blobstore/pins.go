package blobstore

import "sync"

// pins counts the readers that hold each chunk.
type pins struct {
	mu   sync.Mutex
	held map[int64]int
}

func (p *pins) add(pieces []piece) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range pieces {
		p.held[c.chunk]++
	}
}

func (p *pins) remove(pieces []piece) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range pieces {
		if p.held[c.chunk]--; p.held[c.chunk] == 0 {
			delete(p.held, c.chunk)
		}
	}
}

func (p *pins) has(chunk int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held[chunk] > 0
}
