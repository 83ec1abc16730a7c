// Package cloud is the control plane: Azure Resource Manager's REST API in front
// of a durable store, the token service, and the reconciler that brings what
// runs to what the store says.
//
// It knows resource types only through the [Provider]s that are registered with
// it, and makes nothing real itself: kernel state is the fabric's, services are
// the providers'.
//
// # The way of a PUT
//
// The request is authenticated, its action authorised at the id's scope, and its
// body read. Under the lock of the one writer, a draft of the store is made: the
// type's Split takes children out, Prepare checks and completes the document
// against the draft, and the permission to join what it newly refers to is
// asked for. The draft is committed, with the activity log's entry, and is on
// disk before anyone sees it. Then the answer is given; a type with a Reconcile
// answers Creating, and an Azure-AsyncOperation that ends when Reconcile has
// returned nil.
//
// # What a restart does
//
// What the kernel held is gone, so Start reconciles every document, those that
// were Succeeded too, and goes on with every deletion that had begun. What a
// deleted document made is undone before its row goes; until then it is in no
// estate.
package cloud
