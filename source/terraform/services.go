package terraform

// serviceKinds are those of the services that workloads run on and with.
var serviceKinds = gather(
	kubernetesKinds, storageDataKinds, governanceKinds, databaseKinds, webKinds, siteKinds, analyticsKinds, messagingKinds, cognitiveKinds, scaleSetKinds, diskKinds, imageKinds, placementKinds,
)
