// Next writes scripts into its pages: each has the nonce that it finds in the policy of the request.
import { NextResponse } from 'next/server';

export function proxy(request) {
  const nonce = crypto.randomUUID();
  const policy = process.env.POLICY?.replace("script-src 'self'", `script-src 'self' 'nonce-${nonce}'`);
  if (policy === undefined) return NextResponse.next();
  const headers = new Headers(request.headers);
  headers.set('content-security-policy', policy);
  const response = NextResponse.next({ request: { headers } });
  response.headers.set('content-security-policy', policy);
  return response;
}
