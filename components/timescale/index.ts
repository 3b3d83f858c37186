/** What a program imports: the resources, and the shapes of their inputs. */
export {
    ContinuousAggregate,
    type ContinuousAggregateArgs,
    type ContinuousAggregateProperties,
} from "./continuousAggregate";
export type { History } from "./core/aggregate/keepHistory/mapping";
export type { Connection, SslMode } from "./core/connection/connection";
export type { FunctionGrant, FunctionPrivilege, Grant, Privilege } from "./core/relation/grants";
export type { Column } from "./core/hypertable/spec";
export type { Index } from "./core/relation/indexes";
export type {
    CompressionPolicy,
    JobSettings,
    RefreshPolicy,
    RetentionPolicy,
} from "./core/policies/policy";
export type { RuleCode } from "./core/rules/codes";
export type { Waiver } from "./core/rules/finding";
export { newDatabase } from "./newDatabase";
export { readSql } from "./readSql";
export type { ConnectionArgs, Inputs } from "./resource";
export {
    ExtensionVersion,
    type ExtensionVersionArgs,
    type ExtensionVersionProperties,
} from "./extensionVersion";
export { Hypertable, type HypertableArgs, type HypertableProperties } from "./hypertable";
export {
    LoginPassword,
    type LoginPasswordArgs,
    type LoginPasswordProperties,
} from "./loginPassword";
export { SqlFunction, type SqlFunctionArgs, type SqlFunctionProperties } from "./sqlFunction";
export { View, type ViewArgs, type ViewProperties } from "./view";
