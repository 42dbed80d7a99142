/* What the modules of the booking page know of the API: types made from openapi.yaml, never sent to a browser. */

import type { components, paths } from "./schema.js";

declare global {
  interface Window {
    /** interact.js, a plain script; missing where it could not be loaded. */
    interact?: any;
  }

  /** What the modules tell each other. (An `import()` in a comment would be a circle to the storage of hashed names.) */
  namespace Page {
    interface Place {
      /** The groups of the pattern of the address. */
      params: string[];
      query: URLSearchParams;
    }
    /** Fills the container; returns how to leave it. */
    type View = (container: HTMLElement, place: Place) => void | (() => void);

    /** A day as it is shown: the moments of its beginning and end, and its hours. */
    interface Day {
      date: string;
      start: number;
      end: number;
      hours: { start: number; end: number }[];
    }
    /** A span of a day. */
    interface Shown {
      kind: "free" | "taken" | "pending" | "closed" | "mine" | "none";
      start: number;
      end: number;
      /** Of one's own booking. */
      id?: number;
      isPending?: boolean;
      /** Why it is closed. */
      reason?: string;
    }
    interface Wanted {
      resource: number;
      start: number;
      end: number;
    }

    interface Bookable {
      id: number;
      name: string;
      /** Whether staff confirm its bookings. */
      waits?: boolean | undefined;
    }
    /** How a form of an account behaves. */
    interface AccountHow {
      /** What was typed is kept by this name. */
      name?: string;
      /** Whether the call may be made twice, where its answer is lost. */
      repeats?: boolean;
      /** The class of the button. */
      mood?: string;
      attributes?: Record<string, any>;
    }
    /** What the form of a booking is about. */
    interface AboutForm {
      resources: Bookable[];
      /** What to fill in. */
      wanted: (Wanted & { notes?: string }) | null;
      /** The booking to change. */
      changed: Seen | null;
      /** A day to begin with. */
      day?: string | undefined;
      /** Whether it may repeat. */
      repeats?: boolean;
      onDone: (made: Api.Booking | Api.NewSeries, words: string) => void;
      /** What a 412 says. */
      onStale?: (error: import("../../static/core/page/api.js").Refused, before: Api.Booking | undefined) => string;
    }
    interface Form {
      element: HTMLFormElement;
      /** The view is left; what was typed is kept. */
      leave: () => void;
      /** It is given up; a booking of which the answer is still to come is kept. */
      close: () => void;
    }
    /** A booking as it was read, with its tag. */
    interface Seen {
      booking: Api.Booking;
      etag: string | null;
    }
    /** What was typed into the form of a booking. */
    interface Draft extends Moments {
      /** The booking that is changed; null for a new one. */
      booking: number | null;
      /** Who typed it; empty while nobody is signed in. */
      owner: string;
      /** The booking that is changed, as it was when the change began. */
      seen: Seen | null;
      /** The fields, as they were typed. */
      typed: Record<string, string>;
      /** The Idempotency-Key of the form. */
      key: string;
      /** What was sent, until an answer settles it. */
      sent: Sent | null;
      resourceName: string;
    }
    /** A booking or series as it is sent. */
    type Sent = Wish | (Wish & Rule);
    interface Wish {
      resource: number;
      start_time: string;
      end_time: string;
      notes: string;
    }
    interface Rule {
      rrule: string;
      exdates: string[];
      rdates: string[];
      time_zone: string;
      on_conflict: "skip" | "fail";
    }
    /** The moments that a form means; null for one that is missing. */
    interface Moments {
      start: number | null;
      end: number | null;
    }
  }

  namespace Api {
    type Paths = paths;
    type Methods = "get" | "post" | "put" | "patch" | "delete";
    /** The methods that an address has. */
    type MethodOf<P extends keyof paths> = {
      [M in keyof paths[P]]: M extends Methods ? (paths[P][M] extends { responses: unknown } ? M : never) : never;
    }[keyof paths[P]];
    type Operation<P extends keyof paths, M extends MethodOf<P>> = paths[P][M];

    type Json<O> = O extends { content: { "application/json": infer B } } ? B : never;
    type Responses<O> = O extends { responses: infer R } ? R : never;
    type Success<R> = R extends { 200: infer S } ? Json<S> : R extends { 201: infer S } ? Json<S> : null;
    type Sent<O> = O extends { requestBody?: infer B } ? Json<NonNullable<B>> : never;
    type QueryOf<O> = O extends { parameters: { query?: infer Q } } ? Q : never;
    type ParamsOf<O> = O extends { parameters: { path: infer Q } } ? Q : never;

    type Query<P extends keyof paths, M extends MethodOf<P>> = NonNullable<QueryOf<Operation<P, M>>>;

    interface Manner {
      key?: string;
      ifMatch?: string;
      again?: boolean;
      isAnonymous?: boolean;
      signal?: AbortSignal | undefined;
      page?: string | null;
      isText?: boolean;
    }
    type Options<P extends keyof paths, M extends MethodOf<P>> = Manner &
      ([Sent<Operation<P, M>>] extends [never] ? { body?: never } : { body?: Sent<Operation<P, M>> }) &
      ([QueryOf<Operation<P, M>>] extends [never] ? { query?: never } : { query?: QueryOf<Operation<P, M>> }) &
      ([ParamsOf<Operation<P, M>>] extends [never] ? { params?: never } : { params: ParamsOf<Operation<P, M>> });
    interface AnyOptions extends Manner {
      body?: any;
      query?: any;
      params?: any;
    }
    interface Answer<P extends keyof paths, M extends MethodOf<P>> {
      status: number;
      body: Success<Responses<Operation<P, M>>>;
      etag: string | null;
      /** The address of the next page of a list. */
      next: string | null;
    }

    type Booking = components["schemas"]["Booking"];
    type Resource = components["schemas"]["Resource"];
    type Timeline = components["schemas"]["ResourceTimeline"];
    type Suggestion = components["schemas"]["Suggestion"];
    type Account = components["schemas"]["User"];
    type Preferences = components["schemas"]["Preferences"];
    type Allowance = components["schemas"]["Allowance"];
    type Feed = components["schemas"]["CalendarFeed"];
    type Series = components["schemas"]["Series"];
    type NewSeries = components["schemas"]["NewSeries"];
    type SeriesDate = components["schemas"]["SeriesDate"];
    type DateVerdict = components["schemas"]["DateVerdict"];
    type Act = components["schemas"]["Act"];
    type Scope = "this" | "following" | "all";
  }
}

export {};
