// Books the first free hour of tomorrow on whatever resource has one.
//
//   npm ci && npm run generate && npm run build
//   BOOKING_API=http://127.0.0.1:8000 BOOKING_USERNAME=bert BOOKING_PASSWORD=... npm run book

import { randomUUID } from "node:crypto";

import createClient from "openapi-fetch";

import type { components, paths } from "./schema.js";

type Booking = components["schemas"]["Booking"];
type Problem = components["schemas"]["Problem"];

function setting(name: string): string {
  const value = process.env[name];
  if (!value) {
    throw new Error(`Set ${name}.`);
  }
  return value;
}

function explain(problem: Problem | undefined): Error {
  // `code` is for programs, `detail` for people.
  return new Error(problem ? `${problem.code}: ${problem.detail}` : "no answer that can be read");
}

const api = createClient<paths>({ baseUrl: setting("BOOKING_API") });

async function signIn(username: string, password: string): Promise<void> {
  const { data, error } = await api.POST("/api/auth/token/login/", { body: { username, password } });
  if (!data) {
    throw explain(error);
  }
  const authorization = `Token ${data.auth_token}`;
  api.use({
    onRequest({ request }) {
      request.headers.set("Authorization", authorization);
      return request;
    },
  });
}

async function bookFirstHour(): Promise<Booking> {
  const start = new Date();
  start.setUTCHours(24, 0, 0, 0);
  const end = new Date(start.getTime() + 24 * 60 * 60 * 1000);
  const { data: slots, error: noAnswer } = await api.GET("/api/availability/", {
    params: { query: { start: start.toISOString(), end: end.toISOString(), duration: 60 } },
  });
  const slot = slots?.[0];
  if (!slot) {
    throw noAnswer ? explain(noAnswer) : new Error("nothing is free tomorrow");
  }
  const { resource, start_time, end_time } = slot;
  // With a key of its own this call may be repeated as often as the network makes us; it books once.
  const key = randomUUID();
  const { data: booking, error } = await api.POST("/api/bookings/", {
    params: { header: { "Idempotency-Key": key } },
    body: { resource, start_time, end_time, notes: "Booked from TypeScript" },
  });
  if (!booking) {
    throw explain(error);
  }
  return booking;
}

await signIn(setting("BOOKING_USERNAME"), setting("BOOKING_PASSWORD"));
const booking = await bookFirstHour();
console.log(JSON.stringify(booking));
