// Package backup writes a whole cloud into one archive, while it runs, and makes
// it again from there.
//
// The archive is a tar, compressed with Zstandard (RFC 8878) and, with a
// passphrase, encrypted in the age format (age-encryption.org/v1). Its first entry
// is the [Manifest], which names every file with its size and SHA-256. docs/backup.md
// says what is in it.
//
// The package never restores over anything, and never believes an archive: paths,
// sizes and checksums are held against the manifest while it is unpacked beside
// the place that it is meant for.
package backup
