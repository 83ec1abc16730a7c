package floorplan

// icons are drawn in a field of 18 by 18, by what a thing is called.
var icons = map[string]string{
	"virtual machine":            "M2 3h14v9h-14zM6 15.5h6M9 12v3.5",
	"scale set":                  "M1.5 2.5h11v7h-11zM4 12.5h11v-7M6.5 15.5h11v-7",
	"compute cluster":            "M2 2.5h14v3.5h-14zM2 7.5h14v3.5h-14zM2 12.5h14v3.5h-14zM4.5 4.2h1M4.5 9.2h1M4.5 14.2h1",
	"compute instance":           "M2 6h14v6h-14zM4.5 9h1M8 9h5",
	"AKS cluster":                "M9 1.5l6.5 3.7v7.6l-6.5 3.7l-6.5 -3.7v-7.6zM9 6v6M6 7.5l6 3M12 7.5l-6 3",
	"attached Kubernetes":        "M9 1.5l6.5 3.7v7.6l-6.5 3.7l-6.5 -3.7v-7.6z",
	"Bastion":                    "M9 1.5l6.5 2.5v4.5c0 4 -3 6.500 -6.500 8c-3.500 -1.500 -6.500 -4 -6.500 -8v-4.500zM6 8.500h6M9.500 6l2.500 2.500l-2.500 2.500",
	"Azure Firewall":             "M2 3h14v12h-14zM2 7h14M2 11h14M9 3v4M5.500 7v4M12.500 7v4M9 11v4",
	"VPN gateway":                "M9 1.500l7.500 7.500l-7.500 7.500l-7.500 -7.500zM6 9h6",
	"ExpressRoute gateway":       "M9 1.500l7.500 7.500l-7.500 7.500l-7.500 -7.500zM6 7.500h6M6 10.500h6",
	"application gateway":        "M2 9h5M7 9l8 -5M7 9h8M7 9l8 5",
	"load balancer":              "M2 9h5M7 9l8 -5M7 9h8M7 9l8 5",
	"private endpoint":           "M2 9h5M16 9h-3M10 6a3 3 0 1 0 .010 0z",
	"private link service":       "M2 9h5M16 9h-3M10 6a3 3 0 1 0 .010 0z",
	"network interface":          "M3 4h12v7h-12zM6 11v3.500M9 11v3.500M12 11v3.500",
	"DNS resolver, inbound":      "M3 3h12v12h-12zM6 9h6M9.500 6.500l2.500 2.500l-2.500 2.500",
	"DNS resolver, outbound":     "M3 3h12v12h-12zM6 9h6M9.500 6.500l2.500 2.500l-2.500 2.500",
	"Container Apps environment": "M2.500 5l6.500 -3l6.500 3v8l-6.500 3l-6.500 -3zM2.500 5l6.500 3l6.500 -3M9 8v8",
	"internet":                   "M9 1.500a7.500 7.500 0 1 0 .010 0zM1.500 9h15M9 1.500c-5 4.500 -5 10.500 0 15c5 -4.500 5 -10.500 0 -15",
	"site":                       "M3 16.500v-14h8v14M11 7.500h4v9M1.500 16.500h15M5.500 5.500h3M5.500 8.500h3M5.500 11.500h3",
	"ExpressRoute circuit":       "M3 16.500v-14h8v14M11 7.500h4v9M1.500 16.500h15M5.500 5.500h3M5.500 8.500h3M5.500 11.500h3",
	"VPN clients":                "M4 3h10v8h-10zM1.500 14.500h15",
}

const anyIcon = "M3 3h12v12h-12zM6 9h6"

func (d *drawing) icon(x, y int, kind string) {
	path, ok := icons[kind]
	if !ok {
		path = anyIcon
	}
	d.f(`<path class="icon" transform="translate(%d %d)" d="%s"/>`, x, y, path)
}
