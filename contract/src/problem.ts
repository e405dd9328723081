import Type, { type Static } from 'typebox'
import { problems } from './problems.ts'

/** RFC 9457, and at the same time what the clients' error model reads (`code`, `detail`). */
export const ProblemOut = Type.Object(
  {
    type: Type.String({ format: 'uri', description: 'A page that says what happened and what to do.' }),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.Enum(Object.keys(problems)),
    detail: Type.String(),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          pointer: Type.String({ description: 'JSON Pointer into the body, or `/query/…`, `/path/…`.' }),
          message: Type.String(),
        }),
      ),
    ),
    incident: Type.Optional(Type.String({ description: 'Under which the operator finds it in the log.' })),
  },
  {
    examples: [
      {
        type: 'http://localhost:8071/docs/problems/request-invalid',
        title: problems['request-invalid'].title,
        status: 422,
        code: 'request-invalid',
        detail: 'eventType is required.',
        errors: [{ pointer: '/eventType', message: 'is required' }],
      },
    ],
  },
)
export type ProblemOut = Static<typeof ProblemOut>
