package fabric

import (
	"sync"

	"github.com/cloister-ml/cloister/internal/fabric/nft"
)

// Memory keeps what security groups were compiled to from one plan to the next:
// only those that changed are compiled anew. The zero Memory remembers nothing yet.
type Memory struct {
	mu     sync.Mutex
	now    map[string]compiled // of the plan that is being made
	before map[string]compiled // of the one before it
}

// compiled is a group as sets and a chain, which must not be changed.
type compiled struct {
	sets  []nft.Set
	chain nft.Chain
}

// next begins a plan: what the one before it did not use is forgotten.
func (m *Memory) next() {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.before, m.now = m.now, map[string]compiled{}
}

// recall is what has the key, or what is made.
func (m *Memory) recall(key string, create func() compiled) compiled {
	if m == nil {
		return create()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.now[key]
	if !ok {
		c, ok = m.before[key]
	}
	if !ok {
		c = create()
		for i, s := range c.sets {
			c.sets[i] = s.Sealed()
		}
	}
	if m.now == nil {
		m.now = map[string]compiled{}
	}
	m.now[key] = c
	return c
}
