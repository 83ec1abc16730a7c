package floorplan

import (
	"cmp"
	"slices"
)

// layers orders the rooms for reading: those in the middle of the peerings first,
// then what is peered with them, and so on. Each layer is a list of places in
// plan.Rooms.
func layers(p *Plan) [][]int {
	at := map[string]int{}
	for i, r := range p.Rooms {
		at[r.ID.Key()] = i
	}
	next := make([][]int, len(p.Rooms))
	for _, e := range p.Peerings {
		a, b := at[e.A.Key()], at[e.B.Key()]
		next[a], next[b] = append(next[a], b), append(next[b], a)
	}
	front := frontness(p)
	order := make([]int, len(p.Rooms))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(len(next[b]), len(next[a])), cmp.Compare(front[b], front[a]))
	})
	depth := make([]int, len(p.Rooms))
	for i := range depth {
		depth[i] = -1
	}
	var out [][]int
	place := func(room, d int) {
		depth[room] = d
		for len(out) <= d {
			out = append(out, nil)
		}
		out[d] = append(out[d], room)
	}
	for _, root := range order {
		if depth[root] >= 0 || len(next[root]) == 0 {
			continue
		}
		place(root, 0)
		for queue := []int{root}; len(queue) > 0; queue = queue[1:] {
			for _, n := range next[queue[0]] {
				if depth[n] < 0 {
					place(n, depth[queue[0]]+1)
					queue = append(queue, n)
				}
			}
		}
	}
	// What is joined to nothing stands in the last layer, nearest to the services.
	last := max(len(out)-1, 0)
	for i := range p.Rooms {
		if depth[i] < 0 {
			place(i, last)
		}
	}
	for i := 1; i < len(out); i++ {
		slices.SortStableFunc(out[i], func(a, b int) int {
			return cmp.Or(cmp.Compare(front[b], front[a]), cmp.Compare(natural(p.Rooms[a].Name), natural(p.Rooms[b].Name)))
		})
	}
	return out
}

// frontness is high for rooms that face outside, low for those with endpoints.
func frontness(p *Plan) []int {
	facing := map[string]bool{}
	for _, w := range p.Ways {
		facing[w.To.Key()] = true
	}
	out := make([]int, len(p.Rooms))
	for i, r := range p.Rooms {
		for _, s := range r.Subnets {
			for _, t := range s.Tenants {
				switch {
				case facing[t.ID.Key()] && out[i] < 2:
					out[i] += 2
				case t.Endpoint != nil && out[i]%2 == 0:
					out[i]--
				}
			}
		}
	}
	return out
}
