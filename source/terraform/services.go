package terraform

// serviceKinds are those of the services that workloads run on and with.
var serviceKinds = gather(
	kubernetesKinds, scaleSetKinds, diskKinds, imageKinds, placementKinds,
)
