FROM longshore-test/busybox
