// For tests alone, and worth nothing elsewhere: a self-signed certificate for `receiver.test`, valid until 2126. Kept as
// text because making one needs either openssl on the machine or an X.509 writer in the tree.
export const certificate = `-----BEGIN CERTIFICATE-----
MIIBoTCCAUegAwIBAgIUL7T6d+PtPc/Ww3Gb5bCyF3JNMoEwCgYIKoZIzj0EAwIw
GDEWMBQGA1UEAwwNcmVjZWl2ZXIudGVzdDAgFw0yNjExMjEwMzA4NTZaGA8yMTI2
MTAyODAzMDg1NlowGDEWMBQGA1UEAwwNcmVjZWl2ZXIudGVzdDBZMBMGByqGSM49
AgEGCCqGSM49AwEHA0IABM2EtDkd/IaclwdrTveMlvGDmrhj4DWMNsV2MNPbbA3N
mQLbI6dJp9APQg7CG8m0LT8J/GwpQZzvaTV1XbEuKKqjbTBrMB0GA1UdDgQWBBQd
7peHpCBzQDd50AcZblxJx/HN8jAfBgNVHSMEGDAWgBQd7peHpCBzQDd50AcZblxJ
x/HN8jAPBgNVHRMBAf8EBTADAQH/MBgGA1UdEQQRMA+CDXJlY2VpdmVyLnRlc3Qw
CgYIKoZIzj0EAwIDSAAwRQIhAMmQKDW951dNdFX5EzeRfOfDrtjYWRL5AN6v8tEn
Gw76AiBtNStjQNKetw1z5rj8+V2qDutNmSGCWr+K/SWVm42ZeA==
-----END CERTIFICATE-----
`

export const privateKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgN/zvxZQ9DlVWhqEr
yVAMg764ZbnlBLme8vrk6M+e2DyhRANCAATNhLQ5HfyGnJcHa073jJbxg5q4Y+A1
jDbFdjDT22wNzZkC2yOnSafQD0IOwhvJtC0/CfxsKUGc72k1dV2xLiiq
-----END PRIVATE KEY-----
`
