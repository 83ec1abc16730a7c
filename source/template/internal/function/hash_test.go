package function

import "testing"

// The values are public: they were observed on Azure by others.
func TestUniqueString(t *testing.T) {
	for in, want := range map[string]string{
		"tyeth":       "zcztcwvu6iyg6",
		"hello-world": "a7wkljktk6wne",
		"/subscriptions/3c7f956b-55ee-4686-9d30-da1eb631dc59/resourceGroups/rg-devopsshieldek010dev": "fd63l2gacbtca",
	} {
		if got := uniqueString(in); got != want {
			t.Errorf("uniqueString(%q) = %s, want %s", in, got, want)
		}
	}
	if got := murmur64([]byte("hello-world")); got != 571013382255652050 {
		t.Errorf("murmur64 = %d", got)
	}
}
