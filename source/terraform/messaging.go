package terraform

import (
	"maps"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

const (
	typeEventHubs   = "Microsoft.EventHub/namespaces"
	typeServiceBus  = "Microsoft.ServiceBus/namespaces"
	typeGridTopic   = "Microsoft.EventGrid/topics"
	typeGridDomain  = "Microsoft.EventGrid/domains"
	typeSystemTopic = "Microsoft.EventGrid/systemTopics"
)

// rights are those of an authorization rule.
func rights(v view, doc *arm.Resource) {
	var list []any
	for _, r := range []struct{ attribute, right string }{{"listen", "Listen"}, {"manage", "Manage"}, {"send", "Send"}} {
		if v.flag(r.attribute, false) {
			list = append(list, r.right)
		}
	}
	doc.Properties["rights"] = list
}

var gridRows = tabled(`
	inbound_ip_rule[]: inboundIpRules
		action
		ip_mask
	input_schema =EventGridSchema
	local_auth_enabled disableLocalAuth =false ~negated
	public_network_access_enabled publicNetworkAccess =Enabled ~toggled
`)

var messagingKinds = map[string]kind{
	"azurerm_eventhub_namespace": {
		arm: typeEventHubs,
		id:  inGroup(typeEventHubs),
		rows: tabled(`
			sku /sku.name
			sku /sku.tier
			capacity /sku.capacity =1
			auto_inflate_enabled isAutoInflateEnabled =false
			dedicated_cluster_id clusterArmId
			local_authentication_enabled disableLocalAuth =false ~negated
			maximum_throughput_units
			minimum_tls_version ="1.2"
			public_network_access_enabled publicNetworkAccess =Enabled ~toggled
		`),
		effect: func(v view, id arm.ID, b *builder) {
			rows := tabled(`
				default_action
				public_network_access_enabled publicNetworkAccess =Enabled ~toggled
				trusted_service_access_enabled trustedServiceAccessEnabled =false
				ip_rule[]: ipRules
					ip_mask
					action =Allow
				virtual_network_rule[]: virtualNetworkRules
					ignore_missing_virtual_network_service_endpoint ignoreMissingVnetServiceEndpoint =false
					subnet_id subnet.id
			`)
			for _, r := range v.blocks("network_rulesets") {
				set := id.Child("networkRuleSets", "default")
				b.child(v, set.Type(), set, rows.object(r))
			}
		},
	},
	"azurerm_eventhub": {
		arm: typeEventHubs + "/eventhubs",
		id: func(v view) arm.ID {
			if v.has("namespace_id") {
				return childOf("namespace_id", typeEventHubs, "eventhubs")(v)
			}
			return under(typeEventHubs, "namespace_name", "eventhubs")(v)
		},
		rows: tabled(`
			message_retention messageRetentionInDays
			partition_count
			status =Active
			retention_description: retentionDescription
				* cleanup_policy retention_time_in_hours tombstone_retention_time_in_hours
			capture_description: captureDescription
				* enabled encoding interval_in_seconds skip_empty_archives
				size_limit_in_bytes
				destination: destination
					name
					archive_name_format properties.archiveNameFormat
					blob_container_name properties.blobContainer
					storage_account_id properties.storageAccountResourceId
		`),
	},
	"azurerm_eventhub_consumer_group": {
		arm: typeEventHubs + "/eventhubs/consumerGroups",
		id: func(v view) arm.ID {
			return arm.ResourceID(v.subscription, v.symbol("resource_group_name"), typeEventHubs, v.symbol("namespace_name")).
				Child("eventhubs", v.symbol("eventhub_name")).Child("consumerGroups", v.symbol("name"))
		},
		rows: tabled("user_metadata"),
	},
	"azurerm_eventhub_authorization_rule": {
		arm: typeEventHubs + "/eventhubs/authorizationRules",
		id: func(v view) arm.ID {
			return arm.ResourceID(v.subscription, v.symbol("resource_group_name"), typeEventHubs, v.symbol("namespace_name")).
				Child("eventhubs", v.symbol("eventhub_name")).Child("authorizationRules", v.symbol("name"))
		},
		finish: rights,
	},
	"azurerm_eventhub_namespace_authorization_rule": {
		arm: typeEventHubs + "/authorizationRules", id: under(typeEventHubs, "namespace_name", "authorizationRules"),
		finish: rights,
	},
	"azurerm_servicebus_namespace": {
		arm: typeServiceBus,
		id:  inGroup(typeServiceBus),
		rows: tabled(`
			sku /sku.name
			sku /sku.tier
			capacity /sku.capacity
			local_auth_enabled disableLocalAuth =false ~negated
			minimum_tls_version ="1.2"
			premium_messaging_partitions
			public_network_access_enabled publicNetworkAccess =Enabled ~toggled
			customer_managed_key: encryption
				infrastructure_encryption_enabled requireInfrastructureEncryption =false
				+keySource Microsoft.KeyVault
		`),
		finish: func(v view, doc *arm.Resource) {
			for _, k := range v.blocks("customer_managed_key") {
				vault, name, version := partsOfKey(k.text("key_vault_key_id"))
				doc.Properties["encryption"].(arm.Object)["keyVaultProperties"] = []any{arm.Object{
					"keyVaultUri": vault, "keyName": name, "keyVersion": version, "identity": arm.Object{"userAssignedIdentity": k.json("identity_id")},
				}}
			}
		},
		effect: func(v view, id arm.ID, b *builder) {
			rows := tabled(`
				default_action =Allow
				ip_rules ipRules ~ipMasks
				public_network_access_enabled publicNetworkAccess =Enabled ~toggled
				trusted_services_allowed trustedServiceAccessEnabled =false
				network_rules[]: virtualNetworkRules
					ignore_missing_vnet_service_endpoint ignoreMissingVnetServiceEndpoint =false
					subnet_id subnet.id
			`)
			for _, r := range v.blocks("network_rule_set") {
				set := id.Child("networkRuleSets", "default")
				b.child(v, set.Type(), set, rows.object(r))
			}
		},
	},
	"azurerm_servicebus_queue": {
		arm: typeServiceBus + "/queues",
		id:  childOf("namespace_id", typeServiceBus, "queues"),
		rows: tabled(`
			* auto_delete_on_idle forward_to max_delivery_count max_message_size_in_kilobytes max_size_in_megabytes
			lock_duration =PT1M
			requires_duplicate_detection =false
			requires_session =false
			status =Active
			batched_operations_enabled|enable_batched_operations enableBatchedOperations =true
			dead_lettering_on_message_expiration =false
			default_message_ttl defaultMessageTimeToLive
			duplicate_detection_history_time_window =PT10M
			express_enabled|enable_express enableExpress =false
			forward_dead_lettered_messages_to
			partitioning_enabled|enable_partitioning enablePartitioning =false
		`),
	},
	"azurerm_servicebus_topic": {
		arm: typeServiceBus + "/topics",
		id:  childOf("namespace_id", typeServiceBus, "topics"),
		rows: tabled(`
			* max_message_size_in_kilobytes max_size_in_megabytes
			auto_delete_on_idle =P10675199DT2H48M5.4775807S
			duplicate_detection_history_time_window =PT10M
			requires_duplicate_detection =false
			support_ordering =false
			status =Active
			batched_operations_enabled|enable_batched_operations enableBatchedOperations =false
			default_message_ttl defaultMessageTimeToLive =P10675199DT2H48M5.4775807S
			express_enabled|enable_express enableExpress =false
			partitioning_enabled|enable_partitioning enablePartitioning =false
		`),
	},
	"azurerm_servicebus_subscription": {
		arm: typeServiceBus + "/topics/subscriptions",
		id:  childOf("topic_id", typeServiceBus+"/topics", "subscriptions"),
		rows: tabled(`
			* forward_dead_lettered_messages_to forward_to max_delivery_count
			auto_delete_on_idle =P10675199DT2H48M5.4775807S
			lock_duration =PT1M
			requires_session =false
			status =Active
			client_scoped_subscription_enabled isClientAffine =false
			batched_operations_enabled|enable_batched_operations enableBatchedOperations =false
			dead_lettering_on_filter_evaluation_error deadLetteringOnFilterEvaluationExceptions =true
			dead_lettering_on_message_expiration =false
			default_message_ttl defaultMessageTimeToLive =P10675199DT2H48M5.4775807S
		`),
	},
	"azurerm_eventgrid_topic":  {arm: typeGridTopic, id: inGroup(typeGridTopic), rows: gridRows},
	"azurerm_eventgrid_domain": {arm: typeGridDomain, id: inGroup(typeGridDomain), rows: tabled("auto_create_topic_with_first_subscription =true\nauto_delete_topic_with_last_subscription =true").and(gridRows)},
	"azurerm_eventgrid_system_topic": {
		arm: typeSystemTopic, id: inGroup(typeSystemTopic),
		rows: tabled("source_resource_id|source_arm_resource_id source\ntopic_type"),
	},
	"azurerm_eventgrid_event_subscription": {
		arm: "Microsoft.EventGrid/eventSubscriptions", id: at("scope", arm.TypeResourceGroup, "Microsoft.EventGrid/eventSubscriptions"),
		rows: eventSubscriptionRows, finish: finishEventSubscription,
	},
	"azurerm_eventgrid_system_topic_event_subscription": {
		arm: typeSystemTopic + "/eventSubscriptions", id: under(typeSystemTopic, "system_topic", "eventSubscriptions"),
		rows: eventSubscriptionRows, finish: finishEventSubscription,
	},
}

var eventSubscriptionRows = tabled(`
	advanced_filtering_on_arrays_enabled filter.enableAdvancedFilteringOnArrays
	event_delivery_schema =EventGridSchema
	expiration_time_utc
	included_event_types filter.includedEventTypes
	labels
	retry_policy: retryPolicy
		event_time_to_live eventTimeToLiveInMinutes
		max_delivery_attempts
	storage_blob_dead_letter_destination: deadLetterDestination
		+endpointType StorageBlob
		storage_account_id properties.resourceId
		storage_blob_container_name properties.blobContainerName
	subject_filter: filter
		case_sensitive isSubjectCaseSensitive =false
		subject_begins_with
		subject_ends_with
	azure_function_endpoint: destination
		+endpointType AzureFunction
		function_id properties.resourceId
		max_events_per_batch properties.maxEventsPerBatch
		preferred_batch_size_in_kilobytes properties.preferredBatchSizeInKilobytes
	storage_queue_endpoint: destination
		+endpointType StorageQueue
		storage_account_id properties.resourceId
		queue_name properties.queueName
		queue_message_time_to_live_in_seconds properties.queueMessageTimeToLiveInSeconds
	webhook_endpoint: destination
		+endpointType WebHook
		url properties.endpointUrl
		active_directory_app_id_or_uri properties.azureActiveDirectoryApplicationIdOrUri
		active_directory_tenant_id properties.azureActiveDirectoryTenantId
		max_events_per_batch properties.maxEventsPerBatch
		preferred_batch_size_in_kilobytes properties.preferredBatchSizeInKilobytes
`)

// finishEventSubscription sets where the events go, and the filters, which stand
// as blocks named for their operator.
func finishEventSubscription(v view, doc *arm.Resource) {
	for attribute, typ := range map[string]string{
		"eventhub_id": "EventHub", "eventhub_endpoint_id": "EventHub", "hybrid_connection_id": "HybridConnection", "hybrid_connection_endpoint_id": "HybridConnection",
		"service_bus_queue_id": "ServiceBusQueue", "service_bus_queue_endpoint_id": "ServiceBusQueue",
		"service_bus_topic_id": "ServiceBusTopic", "service_bus_topic_endpoint_id": "ServiceBusTopic",
	} {
		if v.has(attribute) {
			doc.Properties["destination"] = arm.Object{"endpointType": typ, "properties": arm.Object{"resourceId": v.json(attribute)}}
		}
	}
	var filters []any
	for _, f := range v.blocks("advanced_filter") {
		for _, operator := range sortedBlocks(f) {
			for _, one := range f.blocks(operator) {
				name := camel(operator)
				o := tabled("key\nvalue\nvalues").object(one)
				o["operatorType"] = strings.ToUpper(name[:1]) + name[1:]
				filters = append(filters, o)
			}
		}
	}
	if filters != nil {
		set(doc.Properties, "filter.advancedFilters", filters)
	}
	for block, to := range map[string]string{"delivery_identity": "deliveryWithResourceIdentity", "dead_letter_identity": "deadLetterWithResourceIdentity"} {
		inner := map[string]string{"delivery_identity": "destination", "dead_letter_identity": "deadLetterDestination"}[block]
		for _, i := range v.blocks(block) {
			o := arm.Object{"identity": tabled("type\nuser_assigned_identity").object(i), inner: doc.Properties[inner]}
			delete(doc.Properties, inner)
			doc.Properties[to] = o
		}
	}
}

func sortedBlocks(v view) []string { return slices.Sorted(maps.Keys(v.body.Blocks)) }
