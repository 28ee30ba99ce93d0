declare module 'sequelize-temporal' {
  import type { ModelStatic, Sequelize } from 'sequelize';

  /** Defines a second model for the versions, and hooks that write them. */
  export default function temporal(model: ModelStatic, sequelize: Sequelize): ModelStatic;
}
