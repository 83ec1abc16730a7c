// Package verdict says how a question about an estate was answered: it holds,
// it does not, or it is unknown because of something; and the steps that led there.
//
// It is on the ground floor beside arm, because every meaning answers with it.
// It never decides anything itself beyond combining answers.
package verdict
