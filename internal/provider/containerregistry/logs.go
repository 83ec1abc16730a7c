package containerregistry

import (
	"bytes"
	"log/slog"

	"github.com/sirupsen/logrus"
)

// routeLogs sends what the distribution server logs (through logrus's one
// standard logger, which cannot be given to it otherwise) to log, for debugging:
// it logs every refused request as an error.
func routeLogs(log *slog.Logger) {
	logrus.SetFormatter(&logrus.JSONFormatter{DisableTimestamp: true})
	logrus.SetLevel(logrus.WarnLevel)
	logrus.SetOutput(debugWriter{log})
}

type debugWriter struct{ log *slog.Logger }

func (w debugWriter) Write(line []byte) (int, error) {
	w.log.Debug("container registry", "entry", string(bytes.TrimSpace(line)))
	return len(line), nil
}
