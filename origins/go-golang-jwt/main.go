package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
)

const realm = `Bearer realm="orders"`

// verifier lets requests through that bear a valid token of the gateway.
type verifier struct {
	parser *jwt.Parser
	keys   keyfunc.Keyfunc
}

func newVerifier(ctx context.Context, issuer, jwksURL, audience string) (*verifier, error) {
	keys, err := keyfunc.NewDefaultCtx(ctx, []string{jwksURL})
	if err != nil {
		return nil, fmt.Errorf("keys of the gateway: %w", err)
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{"RS256", "ES256"}),
		jwt.WithIssuer(issuer),
		jwt.WithAudience(audience),
		jwt.WithExpirationRequired(),
	)
	return &verifier{parser: parser, keys: keys}, nil
}

type subjectKey struct{}

// require answers 401 unless the request has a valid token; error stands only where a credential was given.
func (v *verifier) require(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		lines := r.Header.Values("Authorization")
		if len(lines) == 0 {
			refuse(w, realm)
			return
		}
		subject, err := v.subject(lines)
		if err != nil {
			slog.Info("token refused", "error", err)
			refuse(w, realm+`, error="invalid_token"`)
			return
		}
		next(w, r.WithContext(context.WithValue(r.Context(), subjectKey{}, subject)))
	}
}

// subject verifies the token in the only Authorization line and returns its sub.
func (v *verifier) subject(lines []string) (string, error) {
	// Header.Get would take the first of several lines, where another reader takes the last.
	if len(lines) != 1 {
		return "", errors.New("more than one Authorization line")
	}
	scheme, token, found := strings.Cut(lines[0], " ")
	if !found || !strings.EqualFold(scheme, "Bearer") {
		return "", errors.New("no bearer token")
	}
	var claims jwt.RegisteredClaims
	if _, err := v.parser.ParseWithClaims(token, &claims, v.keys.Keyfunc); err != nil {
		return "", err
	}
	// A sub of another type does not decode; a missing one and null leave the field empty.
	if claims.Subject == "" {
		return "", fmt.Errorf("%w: sub", jwt.ErrTokenRequiredClaimMissing)
	}
	return claims.Subject, nil
}

func refuse(w http.ResponseWriter, challenge string) {
	w.Header().Set("WWW-Authenticate", challenge)
	writeJSON(w, http.StatusUnauthorized, map[string]string{"error": "unauthorized"})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		slog.Warn("answer not written", "error", err)
	}
}

func protected(w http.ResponseWriter, r *http.Request) {
	subject, _ := r.Context().Value(subjectKey{}).(string)
	writeJSON(w, http.StatusOK, map[string]string{"message": "Access granted", "sub": subject})
}

func env(name, fallback string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return fallback
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	issuer := env("ISSUER", "https://gateway.example.com/issuer")
	jwksURL := env("JWKS_URL", issuer+"/.well-known/jwks.json")
	v, err := newVerifier(ctx, issuer, jwksURL, env("AUDIENCE", "https://orders.example.com"))
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /protected", v.require(protected))
	server := &http.Server{
		Addr:              net.JoinHostPort(env("LISTEN_HOST", "127.0.0.1"), env("PORT", "8888")),
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return server.Shutdown(grace)
}

// health asks the server of the same container whether it answers: its image has no shell and no other program.
func health() error {
	client := http.Client{Timeout: 2 * time.Second}
	response, err := client.Get("http://" + net.JoinHostPort("127.0.0.1", env("PORT", "8888")) + "/protected")
	if err != nil {
		return err
	}
	return response.Body.Close()
}

func main() {
	start := run
	if len(os.Args) == 2 && os.Args[1] == "health" {
		start = health
	}
	if err := start(); err != nil {
		slog.Error("stopped", "error", err)
		os.Exit(1)
	}
}
