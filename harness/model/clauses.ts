interface Clause {
  readonly title: string
  readonly url: string
}

function rfc(number: number, section: string, title: string): Clause {
  return {
    title: `RFC ${number}, section ${section}: ${title}`,
    url: `https://www.rfc-editor.org/rfc/rfc${number}#section-${section}`,
  }
}

function cwe(number: number, title: string): Clause {
  return { title: `CWE-${number}: ${title}`, url: `https://cwe.mitre.org/data/definitions/${number}.html` }
}

function cve(id: string, title: string): Clause {
  return { title: `${id}: ${title}`, url: `https://www.cve.org/CVERecord?id=${id}` }
}

/** Written requirements and weaknesses that cases cite. Numbers of sections live here alone. */
export const CLAUSES = {
  'rfc4648/canonical': rfc(4648, '3.5', 'Canonical Encoding'),
  'rfc6750/header': rfc(6750, '2.1', 'Authorization Request Header Field'),
  'rfc6750/query': rfc(6750, '2.3', 'URI Query Parameter'),
  'rfc6750/challenge': rfc(6750, '3', 'The WWW-Authenticate Response Header Field'),
  'rfc6750/error-codes': rfc(6750, '3.1', 'Error Codes'),
  'rfc6585/431': rfc(6585, '5', '431 Request Header Fields Too Large'),
  'rfc7515/base64url': rfc(7515, '2', 'Terminology: base64url without padding'),
  'rfc7515/jose-header': rfc(7515, '4', 'JOSE Header'),
  'rfc7515/jku': rfc(7515, '4.1.2', '"jku" (JWK Set URL) Header Parameter'),
  'rfc7515/jwk': rfc(7515, '4.1.3', '"jwk" (JSON Web Key) Header Parameter'),
  'rfc7515/kid': rfc(7515, '4.1.4', '"kid" (Key ID) Header Parameter'),
  'rfc7515/x5u': rfc(7515, '4.1.5', '"x5u" (X.509 URL) Header Parameter'),
  'rfc7515/x5c': rfc(7515, '4.1.6', '"x5c" (X.509 Certificate Chain) Header Parameter'),
  'rfc7515/typ': rfc(7515, '4.1.9', '"typ" (Type) Header Parameter'),
  'rfc7515/crit': rfc(7515, '4.1.11', '"crit" (Critical) Header Parameter'),
  'rfc7515/validation': rfc(7515, '5.2', 'Message Signature or MAC Validation'),
  'rfc7515/compact': rfc(7515, '7.1', 'JWS Compact Serialization'),
  'rfc7515/key-origin': rfc(7515, '10.3', 'Key Origin Authentication'),
  'rfc7517/use': rfc(7517, '4.2', '"use" (Public Key Use) Parameter'),
  'rfc7517/key-ops': rfc(7517, '4.3', '"key_ops" (Key Operations) Parameter'),
  'rfc7517/alg': rfc(7517, '4.4', '"alg" (Algorithm) Parameter'),
  'rfc7518/alg': rfc(7518, '3.1', '"alg" (Algorithm) Header Parameter Values for JWS'),
  'rfc7518/rsa': rfc(7518, '3.3', 'Digital Signature with RSASSA-PKCS1-v1_5'),
  'rfc7518/ecdsa': rfc(7518, '3.4', 'Digital Signature with ECDSA'),
  'rfc7519/introduction': rfc(7519, '1', 'Introduction: compact serialization'),
  'rfc7519/numeric-date': rfc(7519, '2', 'Terminology: NumericDate'),
  'rfc7519/claims': rfc(7519, '4', 'JWT Claims'),
  'rfc7519/iss': rfc(7519, '4.1.1', '"iss" (Issuer) Claim'),
  'rfc7519/sub': rfc(7519, '4.1.2', '"sub" (Subject) Claim'),
  'rfc7519/aud': rfc(7519, '4.1.3', '"aud" (Audience) Claim'),
  'rfc7519/exp': rfc(7519, '4.1.4', '"exp" (Expiration Time) Claim'),
  'rfc7519/nbf': rfc(7519, '4.1.5', '"nbf" (Not Before) Claim'),
  'rfc7519/iat': rfc(7519, '4.1.6', '"iat" (Issued At) Claim'),
  'rfc7519/jti': rfc(7519, '4.1.7', '"jti" (JWT ID) Claim'),
  'rfc7519/unsecured': rfc(7519, '6', 'Unsecured JWTs'),
  'rfc7519/validation': rfc(7519, '7.2', 'Validating a JWT'),
  'rfc7519/claim-names': rfc(7519, '10.1.1', 'Claim names are case-sensitive'),
  'rfc7638/thumbprint': rfc(7638, '3', 'JSON Web Key (JWK) Thumbprint'),
  'rfc7797/jwt': rfc(7797, '7', 'Using b64 with JSON Web Tokens'),
  'rfc8032/verify': rfc(8032, '5.1.7', 'Ed25519 signature verification'),
  'rfc8037/okp': rfc(8037, '3.1', 'Signing with Ed25519'),
  'rfc8725/weak-signature': rfc(8725, '2.1', 'Weak Signatures and Insufficient Signature Validation'),
  'rfc8725/encryption': rfc(8725, '2.3', 'Incorrect Composition of Encryption and Signature'),
  'rfc8725/algorithm': rfc(8725, '3.1', 'Perform Algorithm Verification'),
  'rfc8725/appropriate': rfc(8725, '3.2', 'Use Appropriate Algorithms'),
  'rfc8725/all-operations': rfc(8725, '3.3', 'Validate All Cryptographic Operations'),
  'rfc8725/key-entropy': rfc(8725, '3.5', 'Ensure Cryptographic Keys Have Sufficient Entropy'),
  'rfc8725/utf8': rfc(8725, '3.7', 'Use UTF-8'),
  'rfc8725/issuer': rfc(8725, '3.8', 'Validate Issuer and Subject'),
  'rfc8725/audience': rfc(8725, '3.9', 'Use and Validate Audience'),
  'rfc8725/received-claims': rfc(8725, '3.10', 'Do Not Trust Received Claims'),
  'rfc8725/typ': rfc(8725, '3.11', 'Use Explicit Typing'),
  'rfc8725/exclusive': rfc(8725, '3.12', 'Use Mutually Exclusive Validation Rules for Different Kinds of JWTs'),
  'rfc9068/claims': rfc(9068, '2.2', 'Data Structure of JWT access tokens'),
  'rfc9068/validation': rfc(9068, '4', 'Validating JWT Access Tokens'),
  'rfc9110/field-order': rfc(9110, '5.3', 'Field Order: repeated fields'),
  'rfc9110/scheme': rfc(9110, '11.1', 'Authentication Scheme'),
  'rfc9110/www-authenticate': rfc(9110, '11.6.1', 'WWW-Authenticate'),
  'rfc9110/401': rfc(9110, '15.5.2', '401 Unauthorized'),
  'rfc9111/authorized': rfc(9111, '3.5', 'Storing Responses to Authenticated Requests'),
  'rfc9700/token-in-url': rfc(9700, '4.3.2', 'Access Token in Browser History'),
  'cwe-22': cwe(22, 'Path Traversal'),
  'cwe-89': cwe(89, 'SQL Injection'),
  'cwe-190': cwe(190, 'Integer Overflow or Wraparound'),
  'cwe-209': cwe(209, 'Error Message Containing Sensitive Information'),
  'cwe-295': cwe(295, 'Improper Certificate Validation'),
  'cwe-347': cwe(347, 'Improper Verification of Cryptographic Signature'),
  'cwe-384': cwe(384, 'Session Fixation'),
  'cwe-436': cwe(436, 'Interpretation Conflict'),
  'cwe-488': cwe(488, 'Exposure of Data Element to Wrong Session'),
  'cwe-598': cwe(598, 'Sensitive Query Strings'),
  'cwe-613': cwe(613, 'Insufficient Session Expiration'),
  'cwe-674': cwe(674, 'Uncontrolled Recursion'),
  'cwe-697': cwe(697, 'Incorrect Comparison'),
  'cwe-918': cwe(918, 'Server-Side Request Forgery'),
  'cve-2015-9235': cve('CVE-2015-9235', 'unsigned or HMAC tokens accepted'),
  'cve-2018-0114': cve('CVE-2018-0114', 'key embedded in the token accepted'),
  'cve-2020-26160': cve('CVE-2020-26160', 'empty audience accepted'),
  'cve-2022-21449': cve('CVE-2022-21449', 'all-zero ECDSA signature accepted'),
  'cve-2022-23539': cve('CVE-2022-23539', 'key types not matched with algorithms'),
  'cve-2022-23540': cve('CVE-2022-23540', 'unsigned token accepted by default'),
  'cve-2022-29217': cve('CVE-2022-29217', 'public key accepted as HMAC secret'),
  'cve-2022-39227': cve('CVE-2022-39227', 'claims forged by mixing serializations'),
  'cve-2024-33663': cve('CVE-2024-33663', 'public key accepted as HMAC secret'),
  'cve-2024-53861': cve('CVE-2024-53861', 'issuer matched in part'),
  'cve-2025-30204': cve('CVE-2025-30204', 'memory spent on dots before parsing'),
  'cve-2025-30144': cve('CVE-2025-30144', 'issuer accepted inside an array'),
  'cve-2025-62610': cve('CVE-2025-62610', 'audience not verified'),
  'cve-2026-25537': cve('CVE-2026-25537', 'malformed exp and nbf taken for absent ones'),
  'cve-2026-35039': cve('CVE-2026-35039', 'claims of another token returned from a cache'),
  'trust/short-lived': {
    title: 'Contract of the hop: gateway tokens are short-lived',
    url: 'https://www.rfc-editor.org/rfc/rfc8725#section-3.10',
  },
} as const satisfies Record<string, Clause>

export type ClauseId = keyof typeof CLAUSES
