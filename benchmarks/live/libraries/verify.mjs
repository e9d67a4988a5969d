// Reads {library, jwks, issuer, audience, alg, required, cases: [{fault, token}]} from standard input, verifies every token
// with that library as an application would, and prints [{fault, exception, message, code}] of the refused ones.
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const modules = join(process.argv[2], 'node_modules');
const require = createRequire(join(modules, 'index.js'));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const { library, jwks, issuer, audience, alg, required, cases } = JSON.parse(readFileSync(0, 'utf8'));

const pem = (jwk) => createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
const ours = pem(jwks.keys[0]);

// Each gives a function that verifies one token, and throws or rejects.
const LIBRARIES = {
  async jose() {
    const { createLocalJWKSet, jwtVerify } = await load('jose');
    const keys = createLocalJWKSet(jwks);
    return (token) => jwtVerify(token, keys, { issuer, audience, algorithms: [alg], requiredClaims: required });
  },
  async jsonwebtoken() {
    const { default: jwt } = await load('jsonwebtoken');
    const { default: jwksClient } = await load('jwks-rsa');
    const client = jwksClient({ jwksUri: 'http://127.0.0.1/jwks.json', fetcher: async () => jwks });
    const key = (header, done) => client.getSigningKey(header.kid, (error, found) => done(error, found?.getPublicKey()));
    return (token) => new Promise((resolve, reject) => {
      const done = (error, claims) => (error ? reject(error) : resolve(claims));
      jwt.verify(token, key, { issuer, audience, algorithms: [alg] }, done);
    });
  },
  async 'fast-jwt'() {
    const { createVerifier } = await load('fast-jwt');
    return createVerifier({
      key: ours, algorithms: [alg], allowedIss: issuer, allowedAud: audience, requiredClaims: required, cache: false,
    });
  },
  async '@hapi/jwt'() {
    const { default: Jwt } = await load('@hapi/jwt');
    return (token) => {
      Jwt.token.verify(Jwt.token.decode(token), { key: ours, algorithms: [alg] }, { iss: issuer, aud: audience });
    };
  },
  async njwt() {
    const { default: njwt } = await load('njwt');
    return (token) => njwt.verify(token, ours, alg);
  },
  async 'jwt-simple'() {
    const { default: jwt } = await load('jwt-simple');
    return (token) => jwt.decode(token, ours, false, alg);
  },
};

const verify = await LIBRARIES[library]();
const complaints = [];
for (const { fault, token } of cases) {
  try {
    await verify(token);
  } catch (error) {
    const message = token ? String(error.message).replaceAll(token, '<token>') : String(error.message);
    complaints.push({ fault, exception: error.name ?? error.constructor.name, message, code: typeof error.code === 'string' ? error.code : '' });
  }
}
process.stdout.write(JSON.stringify(complaints));
